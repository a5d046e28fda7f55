Scenario: An agent can decline, and the next one is rung
  Declining is no fault of the caller, who keeps the place.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  And Anna declines
  Then Anna is not ready because of declined
  And Bert's telephone rings
  And Carla waits in Support
  When Anna becomes ready
  Then Anna is ready and idle
