Scenario: Callers who want just one agent wait for that one
  An agent with a number of the own may have a queue of the own too; transfers lead there while the agent is busy.

  Given a queue Support with the number +49301000
  And a queue Direct with the number +49303000
  And Anna serves Support and Direct
  And callers who want Anna wait in Direct
  And Bert serves Support
  And the number +49302000 leads to Anna
  When Carla calls +49301000
  And Anna answers
  And Dora calls +49302000
  Then Dora waits in Direct
  And Bert's telephone does not ring
  When Emil calls +49301000
  And Bert answers
  And Bert transfers to the agent Anna
  Then Emil waits in Direct
  When Carla hangs up
  Then Anna's telephone rings
  When Anna answers
  Then Dora and Anna hear each other
  And Direct counts 1 offered, 1 answered, 0 abandoned, 0 moved on
