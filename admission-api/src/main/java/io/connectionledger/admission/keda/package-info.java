/**
 * What KEDA asks an external scaler; {@link io.connectionledger.admission.keda.ExternalScaler} is
 * its door.
 */
@NullMarked
package io.connectionledger.admission.keda;

import org.jspecify.annotations.NullMarked;
