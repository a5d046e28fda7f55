Scenario: When the agent's connection breaks, the customer is served first again
  The customer does not pay for a broken connection.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support and Sales
  When Carla calls +49301000
  And Anna answers
  And Dora calls +49301000
  And Anna's connection breaks
  Then Carla waits in Support
  And Anna's telephone rings
  When Anna answers
  Then Carla and Anna hear each other
  And Dora waits in Support
