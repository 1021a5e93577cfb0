/** The other instances over gRPC, and what this one answers them. */
@NullMarked
package io.connectionledger.admission.peer.grpc;

import org.jspecify.annotations.NullMarked;
