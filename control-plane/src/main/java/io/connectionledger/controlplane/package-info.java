/**
 * The control plane: tells every Envoy which pods a pool has, so that Envoy and ledger never
 * disagree about them. {@link io.connectionledger.controlplane.EdsServer} serves it.
 */
@NullMarked
package io.connectionledger.controlplane;

import org.jspecify.annotations.NullMarked;
