/**
 * The training schedule. {@link org.mixtraining.schedule.MixSchedule} turns a configuration into
 * one {@link org.mixtraining.schedule.EpochPlan} per epoch: phase, objective, weight of the SSL
 * loss and learning rate; {@link org.mixtraining.schedule.Seed} says what each random draw depends
 * on. All of it is pure: no input, output or clock, so a plan can be printed before anything runs
 * and repeated on any machine.
 */
package org.mixtraining.schedule;
