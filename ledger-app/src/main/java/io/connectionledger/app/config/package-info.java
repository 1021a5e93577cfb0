/** What an operator may set: read from a file and the environment, checked, and then immutable. */
@NullMarked
package io.connectionledger.app.config;

import org.jspecify.annotations.NullMarked;
