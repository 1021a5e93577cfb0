/**
 * The policies that all instances share: {@link
 * io.connectionledger.streams.policy.KafkaPolicyStore} keeps what the configuration wants and what
 * is on the topic together.
 */
@NullMarked
package io.connectionledger.streams.policy;

import org.jspecify.annotations.NullMarked;
