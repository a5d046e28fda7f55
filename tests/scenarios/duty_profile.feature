Scenario: An agent chooses what to work for today
  A duty profile is a set of the agent's queues under a name.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support and Sales
  And Anna works for Sales at home
  Then Anna cannot choose holidays
  When Anna chooses home
  And Carla calls +49301000
  Then Anna's telephone does not ring
  When Dora calls +49302000
  Then Anna's telephone rings
  When Anna answers
  And Dora hangs up
  And Anna works for everybody again
  Then Anna's telephone rings
  When Anna answers
  Then Carla and Anna hear each other
