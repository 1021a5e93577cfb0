/** Objects of the API server, listed and then watched. */
@NullMarked
package io.connectionledger.kubernetes.watch;

import org.jspecify.annotations.NullMarked;
