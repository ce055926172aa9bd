/**
 * Results that are whole or not there, and the processes that make them: what one leaves that was
 * killed, the next one removes.
 */
package org.mixtraining.files;
