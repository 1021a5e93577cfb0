/** bench. */
@NullMarked
package io.connectionledger.bench;

import org.jspecify.annotations.NullMarked;
