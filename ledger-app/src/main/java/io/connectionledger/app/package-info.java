/** The program that an operator starts. */
@NullMarked
package io.connectionledger.app;

import org.jspecify.annotations.NullMarked;
