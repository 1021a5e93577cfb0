/** The records of the ledger's topics and their JSON. */
@NullMarked
package io.connectionledger.model.event;

import org.jspecify.annotations.NullMarked;
