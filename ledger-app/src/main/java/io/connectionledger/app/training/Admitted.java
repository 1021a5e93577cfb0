package io.connectionledger.app.training;

import io.connectionledger.model.PodAddress;

/** A connection that was admitted, as the answer's dynamic metadata has it. */
record Admitted(String pool, PodAddress pod, String reservation) {}
