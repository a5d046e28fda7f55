Scenario: Wrap-up that lasts until it is finished
  Time alone does not end it; a break chosen meanwhile begins after it.

  Given a queue Support with the number +49301000
  And Support allows wrap-up until it is finished
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna takes a break for lunch
  And Carla hangs up
  And 3000 seconds pass
  Then Anna is in wrap-up
  When Anna finishes wrap-up with solved
  Then Anna is not ready because of lunch
