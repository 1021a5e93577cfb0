package io.connectionledger.ingest;

import com.google.protobuf.Message;
import io.connectionledger.ingest.translate.DeadLetterCause;

/**
 * An entry that says nothing to the ledger, for people to look at.
 *
 * @param reason one line that says what is wrong with it
 * @param entry as Envoy sent it
 */
record DeadLetter(DeadLetterCause cause, String reason, Message entry) {}
