Scenario: Whatever becomes of who is asked, the agent has the customer again
  A telephone that is not answered, and a colleague who is let go.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna consults the number +49891234567
  And 60 seconds pass
  Then Carla and Anna hear each other
  When Anna consults the queue Sales
  And Bert answers
  And Anna goes back to the customer
  Then Carla and Anna hear each other
  And Bert is ready and idle
