Scenario: A transfer that fails comes back to the agent who transferred
  Only when that one does not take it, anybody may.

  Given a queue Support with the number +49301000
  And Support gives a failed transfer back for 15 seconds
  And Support allows 60 seconds of wrap-up
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna transfers to the number +49891234567
  Then Anna is in wrap-up
  When +49891234567 declines
  Then Anna's telephone rings
  And Bert's telephone does not ring
  When Anna answers
  Then Carla and Anna hear each other
  When Anna transfers to the number +49891234567
  And +49891234567 declines
  And Anna declines
  And 15 seconds pass
  Then Bert's telephone rings
