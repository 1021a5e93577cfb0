/** KEDA's external scaler: {@link io.connectionledger.admission.keda.ExternalScaler} serves it. */
@NullMarked
package io.connectionledger.admission.keda;

import org.jspecify.annotations.NullMarked;
