Scenario: Who waits too long leaves a message
  Greeting, tone, and then everything that is said is kept for those who serve the queue. Hanging up ends the message.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Anna takes a break for lunch
  And Support leads to the mailbox of the queue Support after 30 seconds
  When Carla calls +49301000
  And 30 seconds pass
  Then Carla leaves a message
  And Carla is not recorded
  When Carla hears it to the end
  Then Carla hears the tone
  And Carla is recorded
  When 12 seconds pass
  And Carla hangs up
  Then the mailbox of Support holds 1 new of 1 messages
  And Support counts 1 offered, 0 answered, 0 abandoned, 1 moved on
  When Anna has heard the oldest message of Support
  Then the mailbox of Support holds 0 new of 1 messages
  When Anna has done what the oldest message of Support asks for
  Then the mailbox of Support holds 0 new of 1 messages
