Scenario: A message ends with a key, by its length, or is none
  The pound key skips the greeting and ends the message. Who hangs up at once has left none.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Anna takes a break for lunch
  And the key 2 leads from Support to the mailbox of the agent Anna
  When Carla calls +49301000
  And Carla presses 2
  And Carla presses #
  Then Carla hears the tone
  When 5 seconds pass
  And Carla presses #
  Then Carla has left
  And the mailbox of Anna holds 1 new of 1 messages
  When Dora calls +49301000
  And Dora presses 2
  And Dora hears it to the end
  And 1 seconds pass
  And Dora hangs up
  Then the mailbox of Anna holds 1 new of 1 messages
  Given Support leads to the mailbox of the queue Support after 30 seconds
  And the mailbox of Support greets with "We are at lunch." and takes 60 seconds
  When Emil calls +49301000
  And 30 seconds pass
  Then Emil hears the text "We are at lunch."
  When Emil hears it to the end
  And 60 seconds pass
  Then Emil has left
  And the mailbox of Support holds 1 new of 1 messages
