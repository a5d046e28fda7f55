Scenario: A mailbox that answers an agent's telephone does not get the caller
  Whose telephone may be answered by a mailbox is asked for a key; without it the call counts as not answered.

  Given a queue Support with the number +49301000
  And Support rings for 20 seconds
  And Anna serves Support
  And Bert serves Support
  And Anna's telephone asks for a key with "Press 1 to take the call."
  When Carla calls +49301000
  And Anna answers
  Then Anna hears the text "Press 1 to take the call."
  And Carla hears music
  When 20 seconds pass
  Then Anna is not ready because of no_answer
  And Bert's telephone rings
  When Bert answers
  And Carla hangs up
  And Anna becomes ready
  And Bert takes a break for lunch
  And Dora calls +49301000
  And Anna answers
  And Anna presses 1
  Then Dora and Anna hear each other
