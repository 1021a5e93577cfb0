/** Which pods a ReplicaSet removes first, by the connections that they hold. */
@NullMarked
package io.connectionledger.kubernetes.cost;

import org.jspecify.annotations.NullMarked;
