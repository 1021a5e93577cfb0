/** The commands about the past: {@code replay} and {@code simulate}. */
@NullMarked
package io.connectionledger.app.history;

import org.jspecify.annotations.NullMarked;
