/** The scales: where JMH measures the model and the ledger; no other module needs it. */
@NullMarked
package io.connectionledger.bench;

import org.jspecify.annotations.NullMarked;
