"""A race of training methods: equal CPU time, in turns, and the Dice of cases that were not trained on."""
