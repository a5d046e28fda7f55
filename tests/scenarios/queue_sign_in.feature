Scenario: An agent works for one queue and not for another
  Whoever signs out of a queue stays ready for the others, and comes back by signing in.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support and Sales
  And Anna signs out of Support
  When Carla calls +49301000
  Then Anna's telephone does not ring
  When Dora calls +49302000
  Then Anna's telephone rings
  When Anna answers
  And Dora hangs up
  Then Anna's telephone does not ring
  When Anna signs into Support
  Then Anna's telephone rings
  When Anna answers
  Then Carla and Anna hear each other
