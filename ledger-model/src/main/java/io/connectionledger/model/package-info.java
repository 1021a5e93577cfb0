/**
 * What every other module speaks of: connection events, decisions, pools, pods, topics and their
 * JSON form. Everything here is immutable and free of I/O.
 */
@NullMarked
package io.connectionledger.model;

import org.jspecify.annotations.NullMarked;
