Scenario: An agent records because the customer asks for it, and stops when the customer objects
  No queue's rule records a customer again who has objected.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Sales records from the answer
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna starts recording
  Then Carla is recorded
  When Anna stops recording
  And Anna transfers to the queue Sales
  And Bert answers
  Then Carla is not recorded
