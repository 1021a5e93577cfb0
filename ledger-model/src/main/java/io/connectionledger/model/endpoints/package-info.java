/** The pods of pools as Kubernetes has them, and their record in {@code ledger.endpoints}. */
@NullMarked
package io.connectionledger.model.endpoints;

import org.jspecify.annotations.NullMarked;
