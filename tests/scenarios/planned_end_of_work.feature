Scenario: An agent goes home after the present customer
  Whoever has planned to go gets no further call, and drops none.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna plans to go home
  And Dora calls +49301000
  Then Carla and Anna hear each other
  When Carla hangs up
  Then Anna is signed out
  And Anna's telephone does not ring
  And Dora waits in Support
