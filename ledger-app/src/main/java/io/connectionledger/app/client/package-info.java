/** What the commands that talk to a running ledger have in common. */
@NullMarked
package io.connectionledger.app.client;

import org.jspecify.annotations.NullMarked;
