Scenario: An agent's telephone drops while a supervisor talks with the customer
  The supervisor has the customer from then on.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Dora serves Sales
  And Dora may supervise
  When Carla calls +49301000
  And Anna answers
  And Dora listens to Anna
  And Dora answers
  And Dora barges in
  And Anna's connection breaks
  Then Carla and Dora hear each other
