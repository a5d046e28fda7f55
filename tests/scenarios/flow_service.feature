Scenario: A flow asks a service about the caller
  The flow asks the shop's own service for the order of the number that calls, and says what it answers. Where the service
  cannot be reached, or takes too long, the caller waits for the agents as if it had not been asked.

  Given a queue Support with the number +49301000
  And a service Shop
  And a flow Orders reached by the number +49303000
  And the flow Orders asks the service Shop for /orders/{caller} and says "Your order is {answer}." or else lets callers wait for Support
  When Carla calls +49303000 from +491701234567
  Then Shop is asked for /orders/+491701234567
  And Carla hears nothing
  When Shop answers "on its way" to the flow
  Then Carla hears the text "Your order is on its way."
  When Dora calls +49303000
  And Shop cannot be reached by the flow
  Then Dora waits in Support
  When Emil calls +49303000
  And 4 seconds pass
  Then Emil hears nothing
  When 1 seconds pass
  Then Emil waits in Support
