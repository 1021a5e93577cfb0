/** The scales: JMH benchmarks of the model and the ledger, which no other module needs. */
@NullMarked
package io.connectionledger.bench;

import org.jspecify.annotations.NullMarked;
