/** The real Envoy as a part: where it comes from, how it is started and how it ends. */
@NullMarked
package io.connectionledger.app.envoy;

import org.jspecify.annotations.NullMarked;
