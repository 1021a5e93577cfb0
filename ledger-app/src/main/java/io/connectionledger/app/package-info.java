/** app. */
@NullMarked
package io.connectionledger.app;

import org.jspecify.annotations.NullMarked;
