/** testkit. */
@NullMarked
package io.connectionledger.testkit;

import org.jspecify.annotations.NullMarked;
