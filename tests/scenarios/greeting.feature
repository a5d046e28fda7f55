Scenario: A greeting is heard before the queue
  The number greets; only then the wait begins.

  Given a queue Support with the number +49301000
  And the number +49301000 greets with "Welcome to Contoso."
  And Anna serves Support
  When Carla calls +49301000
  Then Carla hears the text "Welcome to Contoso."
  And Anna's telephone does not ring
  When Carla hears it to the end
  Then Carla waits in Support
  And Anna's telephone rings
