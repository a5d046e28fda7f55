Scenario: A customer is handed to somebody of the organization who is no agent
  People are called by their sign-in names. Should nobody answer, the customer is back in the queue, first in line.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna transfers to the person ada@example.com
  Then ada@example.com's telephone rings
  When ada@example.com declines
  Then Anna's telephone rings
  When Anna answers
  And Anna consults the person grace@example.com
  And grace@example.com answers
  Then Anna and grace@example.com hear each other
  And Carla hears music
  When Anna hands over
  Then Carla and grace@example.com hear each other
