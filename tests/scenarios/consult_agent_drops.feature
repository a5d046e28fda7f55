Scenario: An agent whose telephone drops in a consult leaves the customer with who was asked
  Nobody is lost.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna consults the agent Bert
  And Bert answers
  And Anna's connection breaks
  Then Carla and Bert hear each other
