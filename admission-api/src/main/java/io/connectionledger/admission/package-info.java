/**
 * Answers Envoy's ext_authz checks from the {@link io.connectionledger.streams.Ledger}, records
 * every answer in Kafka, and answers people's questions over HTTP. Other modules use {@link
 * io.connectionledger.admission.AdmissionApi} alone.
 */
@NullMarked
package io.connectionledger.admission;

import org.jspecify.annotations.NullMarked;
