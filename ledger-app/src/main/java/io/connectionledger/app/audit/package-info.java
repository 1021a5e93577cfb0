/** {@code ledger audit}: the ledger's counts beside those of the Envoys themselves. */
@NullMarked
package io.connectionledger.app.audit;

import org.jspecify.annotations.NullMarked;
