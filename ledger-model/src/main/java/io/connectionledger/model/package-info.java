/**
 * What every other module speaks of: addresses, topics and time here, and below the events,
 * policies and answers with their JSON form. Everything is immutable and free of I/O.
 */
@NullMarked
package io.connectionledger.model;

import org.jspecify.annotations.NullMarked;
