Scenario: A supervisor takes a talk over
  The agent wraps up, and the customer notices no more than another voice.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Support allows wrap-up until it is finished
  And Anna serves Support
  And Dora serves Sales
  And Dora may supervise
  When Carla calls +49301000
  And Anna answers
  And Dora listens to Anna
  And Dora answers
  And Dora takes over
  Then Carla and Dora hear each other
  And Anna is in wrap-up
