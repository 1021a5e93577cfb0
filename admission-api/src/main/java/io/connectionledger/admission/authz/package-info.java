/** Envoy's ext_authz, over gRPC and over HTTP. */
@NullMarked
package io.connectionledger.admission.authz;

import org.jspecify.annotations.NullMarked;
