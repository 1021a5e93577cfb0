/** Decisions on their way into Kafka, and found there again. */
@NullMarked
package io.connectionledger.admission.decisionlog;

import org.jspecify.annotations.NullMarked;
