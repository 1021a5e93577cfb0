/** What the ledger answers about a pool. */
@NullMarked
package io.connectionledger.model.view;

import org.jspecify.annotations.NullMarked;
