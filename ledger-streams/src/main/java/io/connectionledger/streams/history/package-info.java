/**
 * The past, as the topics still have it: {@link io.connectionledger.streams.history.TopicHistory}
 * reads it, in the order of its times, and hands it to a {@link
 * io.connectionledger.streams.history.HistoryListener}.
 */
@NullMarked
package io.connectionledger.streams.history;

import org.jspecify.annotations.NullMarked;
