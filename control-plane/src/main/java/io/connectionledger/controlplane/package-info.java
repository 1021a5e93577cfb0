/** controlplane. */
@NullMarked
package io.connectionledger.controlplane;

import org.jspecify.annotations.NullMarked;
