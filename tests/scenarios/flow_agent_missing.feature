Scenario: A flow goes on when nobody answers
  The flow hands the caller to Anna. She declines, and the caller waits for the others.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Bert serves Support
  And a flow Hotline reached by the number +49303000
  And the flow Hotline hands callers to Anna and else lets them wait for Support
  When Carla calls +49303000
  Then Carla hears the ringing tone
  And Anna's telephone rings
  When Anna declines
  Then Carla waits in Support
  And Bert's telephone rings
