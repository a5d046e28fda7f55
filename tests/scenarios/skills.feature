Scenario: A caller is offered only to who has the skill
  The number asks for Polish at level 3; an agent who knows less of it is left alone.

  Given a queue Support with the number +49301000
  And the number +49301000 asks for Polish at level 3
  And Anna serves Support
  And Anna knows Polish at level 2
  And Bert serves Support
  And Bert knows Polish at level 4
  When Carla calls +49301000
  Then Anna's telephone does not ring
  And Bert's telephone rings
