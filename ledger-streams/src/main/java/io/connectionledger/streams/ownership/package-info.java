/** Which instance owns a partition, and the pools of the partitions that this one owns. */
@NullMarked
package io.connectionledger.streams.ownership;

import org.jspecify.annotations.NullMarked;
